"""Errors meant for the user: one problem each, with what was found and what to do."""


class NeuralcodesError(Exception):
    """A problem the user can mend; the message is complete without a traceback."""


class ConfigError(NeuralcodesError, ValueError):
    """The configuration asks for something that is not allowed."""


class DataError(NeuralcodesError, ValueError):
    """A file is missing, damaged, unsafe or not what it should be."""


class DivergenceError(NeuralcodesError, RuntimeError):
    """A training whose loss is no longer finite."""


class DeviceError(NeuralcodesError, RuntimeError):
    """The device asked for does not exist on this machine."""
