output "event_bus_arn" {
  description = "EVENTBUS_NAME of the worker (a name or an ARN)."
  value       = aws_cloudwatch_event_bus.events.arn
}

output "queue_url" {
  description = "DLQ_QUEUE_URL of the worker."
  value       = aws_sqs_queue.failures.id
}

output "worker_policy_arn" {
  description = "Policy of that role; attach it to the role of a worker that runs elsewhere."
  value       = aws_iam_policy.worker.arn
}

output "worker_role_arn" {
  description = "Role for the worker on EKS, by Pod Identity."
  value       = aws_iam_role.worker.arn
}
