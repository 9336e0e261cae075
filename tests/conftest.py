"""The shared suites live in no test module; their asserts still say what they compared."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("contracts.gateway", "contracts.store", "processes")
