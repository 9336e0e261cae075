"""Values and rules: no input or output, no clock, no framework. One noun a file."""
