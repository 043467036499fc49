output "event_bus_arn" {
  description = "EVENTBUS_NAME of the worker (a name or an ARN)."
  value       = aws_cloudwatch_event_bus.events.arn
}

output "queue_url" {
  description = "DLQ_QUEUE_URL of the worker."
  value       = aws_sqs_queue.failures.id
}

output "worker_role_arn" {
  description = "Role for the worker."
  value       = aws_iam_role.worker.arn
}
