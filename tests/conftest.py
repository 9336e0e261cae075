"""The asserts of the shared suites say what they compared, although they stand in no test module."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("contracts.gateway", "contracts.store", "processes")
