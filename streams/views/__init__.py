"""This package holds the operator's views: dashboard, tables, report, simulator, health and Prometheus."""
