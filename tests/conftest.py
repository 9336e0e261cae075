"""What holds for every test: asserts of shared suites explain themselves, examples repeat.

Properties are tried on the same examples in each run, so that a run says something about the
change and not about its luck; ``make explore`` looks for new ones.
"""

from __future__ import annotations

import hypothesis
import pytest

pytest.register_assert_rewrite("contracts.gateway", "contracts.store", "processes")

hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("explore", max_examples=3_000, deadline=None)
hypothesis.settings.load_profile("repeatable")
