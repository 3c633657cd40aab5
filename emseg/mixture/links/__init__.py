"""Links between T(x) and log-densities, one a file: families with hidden data need them."""
