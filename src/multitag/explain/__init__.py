"""Explanations: which part of the picture and which words made each label, and whether that can be believed.

Example:
    >>> from multitag import Classifier  # doctest: +SKIP
    >>> from multitag.explain import How, explain  # doctest: +SKIP
    >>> found = explain(Classifier.load("runs/first"), sample, How(labels=["animal"]))  # doctest: +SKIP
    >>> found.labels[0].sides["text"].worth  # doctest: +SKIP
"""

from multitag.explain.check import Checked as Checked
from multitag.explain.check import check as check
from multitag.explain.deletion import Deletion as Deletion
from multitag.explain.explanation import Explanation as Explanation
from multitag.explain.explanation import LabelExplanation as LabelExplanation
from multitag.explain.explanation import Side as Side
from multitag.explain.row import How as How
from multitag.explain.row import explain as explain
