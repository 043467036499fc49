# The same as deploy/cloudformation.yaml: the bus with an archive, the dead-letter queue, alarms and a dashboard, the
# policy and role of the worker, and a rule that shows how a consumer is attached.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  retention = 1209600 # 14 days, the most that SQS offers
}

resource "aws_cloudwatch_event_bus" "events" {
  name = var.bus_name

  lifecycle {
    prevent_destroy = true # PutEvents to a bus that is gone can answer success and lose the event
  }
}

resource "aws_cloudwatch_event_archive" "events" {
  name             = "${var.bus_name}-archive"
  event_source_arn = aws_cloudwatch_event_bus.events.arn
  retention_days   = var.archive_days
}

resource "aws_sqs_queue" "failures" {
  name                       = var.queue_name
  message_retention_seconds  = local.retention
  max_message_size           = 1048576 # 1 MiB, the most that SQS takes: longer records are shortened
  visibility_timeout_seconds = 60
  sqs_managed_sse_enabled    = true

  lifecycle {
    prevent_destroy = true # failed events outlive what made them
  }
}

data "aws_iam_policy_document" "failures" {
  statement {
    sid       = "DenyPlainHTTP"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.failures.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "failures" {
  queue_url = aws_sqs_queue.failures.id
  policy    = data.aws_iam_policy_document.failures.json
}
