# An example of a consumer: every event of the pipeline goes to a log group; what cannot be delivered, to a queue.

resource "aws_cloudwatch_log_group" "events" {
  name              = "/aws/events/${var.bus_name}"
  retention_in_days = var.log_days
}

data "aws_iam_policy_document" "to_logs" {
  statement {
    sid       = "EventBridgeWritesEvents"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.events.arn}:*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com", "delivery.logs.amazonaws.com"]
    }
  }
}

resource "aws_cloudwatch_log_resource_policy" "to_logs" {
  policy_name     = "${var.bus_name}-to-logs"
  policy_document = data.aws_iam_policy_document.to_logs.json
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.bus_name}-to-logs-undelivered"
  message_retention_seconds = local.retention
  sqs_managed_sse_enabled   = true
}

data "aws_iam_policy_document" "undelivered" {
  statement {
    sid       = "TheRuleSends"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.undelivered.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.to_logs.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id
  policy    = data.aws_iam_policy_document.undelivered.json
}

resource "aws_cloudwatch_event_rule" "to_logs" {
  name           = "${var.bus_name}-to-logs"
  description    = "An example of a consumer; every event of the pipeline goes to a log group."
  event_bus_name = aws_cloudwatch_event_bus.events.name
  event_pattern  = jsonencode({ source = ["genesys.cloud"] })
}

resource "aws_cloudwatch_event_target" "to_logs" {
  rule           = aws_cloudwatch_event_rule.to_logs.name
  event_bus_name = aws_cloudwatch_event_bus.events.name
  target_id      = "log-group"
  arn            = aws_cloudwatch_log_group.events.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  depends_on = [aws_cloudwatch_log_resource_policy.to_logs]
}
