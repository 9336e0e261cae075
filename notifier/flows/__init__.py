"""One file for each way a thing moves, over ports only. A flow takes a sequence and gives one."""
