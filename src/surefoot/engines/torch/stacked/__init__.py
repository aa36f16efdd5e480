"""Many instances of one architecture in one stack of tensors, on a GPU or a CPU."""
