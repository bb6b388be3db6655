"""Settings that all tests share."""

import os

from hypothesis import settings

# No deadline: a busy machine is not a failed test. In CI always the same examples, so that a red
# run is about the change; new ones are found wherever people work.
settings.register_profile("scoot", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("scoot")
