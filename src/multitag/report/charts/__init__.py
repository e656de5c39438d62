"""Charts as plain data: plotly's traces without colours (the page gives them), and the numbers that are drawn."""

from multitag.report.charts.bars import bars
from multitag.report.charts.box_plot import box_plot
from multitag.report.charts.heat_map import heat_map
from multitag.report.charts.histogram import histogram
from multitag.report.charts.intervals import intervals
from multitag.report.charts.lines import lines

__all__ = ["bars", "box_plot", "heat_map", "histogram", "intervals", "lines"]
