"""How models are trained: losses, optimisers, schedules of the rate, averages, stopping."""
