"""Published optimisers as comparison partners, run in an environment of their own, `.venv-peers`.

HEBO pins numpy below 1.25 and pymoo 0.6.0, which cannot live with ours, so nothing in here imports
SCOOT-Ray, and SCOOT-Ray talks to it by JSON lines: `python -m peers` reads one `Problem` a line and
answers with one point a line. Each question holds the whole history, so an answer depends on it
alone. `comparison.peer_search` is the other side.

Every tool sees the same box, in which the known constraints hold everywhere; starts from the same
quasi-random points, as many as its own default asks for; and is told of crashes as its
documentation recommends, which each module says.
"""
