"""The checker's own tests: tiny cycles made by hand, one that is good and many that are not.

    cd test/prove && python3 -m unittest discover -t . -s checker/tests
"""
