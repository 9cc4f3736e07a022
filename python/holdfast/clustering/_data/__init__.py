"""Tables and series, checked and ready for the kernels."""
