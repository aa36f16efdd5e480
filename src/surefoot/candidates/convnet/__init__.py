"""convnet."""
