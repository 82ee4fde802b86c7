"""`python -m exstream` is the same as the command `exstream`."""

from exstream.cli import main

if __name__ == "__main__":
    main()
