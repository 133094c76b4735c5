"""Complete typed programs that run offline; each is run by the tests."""
