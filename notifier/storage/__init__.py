"""Where everything is kept: the Store of ``ports``, once for each engine."""
