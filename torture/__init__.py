"""Proof that nothing is lost and nothing doubled in silence: ``make torture``."""
