"""The data: a population in memory, read from files or frames, and the samples drawn from it."""
