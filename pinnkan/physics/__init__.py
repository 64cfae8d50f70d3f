"""A problem at one parameter value: domain, residual blocks, ansatz, reference, and tests of all that."""
