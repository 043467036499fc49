# What the worker may do: the same as deploy/iam-policy.json without the queue of Genesys' own integration.

data "aws_iam_policy_document" "worker" {
  statement {
    sid       = "PublishToTheBusAndCheckIt"
    actions   = ["events:PutEvents", "events:DescribeEventBus"]
    resources = [aws_cloudwatch_event_bus.events.arn]
  }

  statement {
    sid       = "MirrorFailuresToTheQueue"
    actions   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.failures.arn]
  }

  statement {
    sid       = "RedriveFromTheQueue"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
    resources = [aws_sqs_queue.failures.arn]
  }

  statement {
    sid       = "ReadRegistrySchemas"
    actions   = ["schemas:DescribeSchema"]
    resources = ["arn:${local.partition}:schemas:${local.region}:${local.account}:schema/${var.schema_registry_name}/*"]
  }

  statement {
    sid       = "MetricsKnowNoResourceOnlyANamespace"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.metrics_namespace]
    }
  }
}

data "aws_iam_policy_document" "pods" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_policy" "worker" {
  name_prefix = "genesys-eventbridge-"
  description = "What the Genesys event pipeline does on AWS."
  policy      = data.aws_iam_policy_document.worker.json
}

resource "aws_iam_role" "worker" {
  name_prefix        = "genesys-eventbridge-"
  description        = "For the service account of deploy/kubernetes, by EKS Pod Identity."
  assume_role_policy = data.aws_iam_policy_document.pods.json
}

resource "aws_iam_role_policy_attachment" "worker" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.worker.arn
}
