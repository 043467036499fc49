# The same alarms as deploy/cloudformation.yaml; docs/runbook.md says what to do about each.

locals {
  pipeline = { Pipeline = var.pipeline_name }
}

resource "aws_cloudwatch_metric_alarm" "nothing_published" {
  alarm_name          = "${var.bus_name}-nothing-published"
  alarm_description   = "No event has been put on the bus for a quarter of an hour, or no worker says so (docs/runbook.md#nothingpublished)."
  namespace           = var.metrics_namespace
  metric_name         = "EventsPublished"
  dimensions          = local.pipeline
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "lag_is_old" {
  alarm_name          = "${var.bus_name}-lag-is-old"
  alarm_description   = "The oldest event without an end has been over five minutes old for ten (docs/runbook.md#lagisold)."
  namespace           = var.metrics_namespace
  metric_name         = "LagSeconds"
  dimensions          = local.pipeline
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 2
  threshold           = 300
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "part_in_trouble" {
  alarm_name          = "${var.bus_name}-part-in-trouble"
  alarm_description   = "A part of a worker has not worked for ten minutes, such as a bus that refuses (docs/runbook.md#partintrouble)."
  namespace           = var.metrics_namespace
  metric_name         = "PartsInTrouble"
  dimensions          = local.pipeline
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "expired" {
  alarm_name          = "${var.bus_name}-expired"
  alarm_description   = "Kafka has deleted events before they were processed (docs/runbook.md#eventsexpired)."
  namespace           = var.metrics_namespace
  metric_name         = "EventsExpired"
  dimensions          = local.pipeline
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "many_fail" {
  alarm_name          = "${var.bus_name}-many-fail"
  alarm_description   = "More than one event in twenty has failed for ten minutes (docs/runbook.md#manyfail)."
  evaluation_periods  = 2
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns

  metric_query {
    id          = "share"
    expression  = "IF(failed + published > 0, 100 * failed / (failed + published), 0)"
    label       = "Failed, in percent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "EventsFailed", published = "EventsPublished" }

    content {
      id = metric_query.key

      metric {
        namespace   = var.metrics_namespace
        metric_name = metric_query.value
        dimensions  = local.pipeline
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "waiting" {
  for_each = {
    (aws_sqs_queue.failures.name)    = "Events failed and wait in the dead-letter queue; look at their cause, then redrive them (docs/runbook.md#by-alarm-of-aws)."
    (aws_sqs_queue.undelivered.name) = "EventBridge could not deliver events to the example's target; they wait in its dead-letter queue (docs/runbook.md#by-alarm-of-aws)."
  }

  alarm_name          = "${each.key}-waiting"
  alarm_description   = each.value
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.key }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "old" {
  alarm_name          = "${var.queue_name}-old"
  alarm_description   = "A failed event has waited for ten days; SQS deletes it after fourteen (docs/runbook.md#by-alarm-of-aws)."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.failures.name }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 1
  threshold           = 864000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_dashboard" "pipeline" {
  dashboard_name = "${var.bus_name}-pipeline"

  dashboard_body = jsonencode({
    widgets = [
      {
        type = "metric", x = 0, y = 0, width = 12, height = 6
        properties = {
          title   = "Events a minute", region = local.region, stat = "Sum", period = 60
          metrics = [for name in ["EventsIngested", "EventsPublished", "EventsFailed"] : [var.metrics_namespace, name, "Pipeline", var.pipeline_name]]
        }
      },
      {
        type = "metric", x = 12, y = 0, width = 12, height = 6
        properties = {
          title   = "Latency (ms)", region = local.region, period = 60
          metrics = [for stat in ["p50", "p99"] : [var.metrics_namespace, "ProcessingLatency", "Pipeline", var.pipeline_name, { stat = stat }]]
        }
      },
      {
        type = "metric", x = 12, y = 6, width = 12, height = 6
        properties = {
          title   = "Lag (s)", region = local.region, stat = "Maximum", period = 60
          metrics = [[var.metrics_namespace, "LagSeconds", "Pipeline", var.pipeline_name]]
        }
      },
      {
        type = "metric", x = 0, y = 6, width = 12, height = 6
        properties = {
          title   = "Failures that wait", region = local.region, stat = "Maximum", period = 60
          metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.queue_name]]
        }
      },
    ]
  })
}
