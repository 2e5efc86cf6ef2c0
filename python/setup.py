"""Installs memshim's tracer: `pip install path/to/memshim/python`. Works with the pip of Python 2.7 too."""

from setuptools import setup

setup(
    name="memshim-tracer",
    version="0.1.0",
    description="Records what an application does with python-memcached or pylibmc, for memshim's audit.",
    license="MIT",
    py_modules=["memshim_tracer"],
    python_requires=">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*",
)
