"""The web page and its REST API: studies watched, compared, started, stopped and exported.

`api` is a plain FastAPI application over a folder of studies; `guard` stands before it; `page/` is
the front end, which knows only the API; `deployment` runs all of it on Ray Serve. Nothing is kept
beside the journals: what the page shows is a fold over them, and the processes that run.
"""
