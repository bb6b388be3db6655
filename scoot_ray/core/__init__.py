"""The words everything else speaks: records, spaces, objectives, studies, the journal.

Nothing here imports Ray or torch, starts a process or knows an engine.
"""
