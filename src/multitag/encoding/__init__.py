"""Encoding ahead: what frozen encoders say of tables, kept before anything trains, by many processes and machines."""

from multitag.encoding.ahead import encode as encode
from multitag.encoding.result import EncoderWork as EncoderWork
from multitag.encoding.result import Encoding as Encoding
