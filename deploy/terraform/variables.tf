variable "bus_name" {
  description = "EVENTBUS_NAME of the worker."
  type        = string
  default     = "genesys-events"
}

variable "queue_name" {
  description = "Name of the dead-letter queue; its URL (see outputs) is DLQ_QUEUE_URL of the worker."
  type        = string
  default     = "genesys-failures"
}

variable "metrics_namespace" {
  description = "METRICS_NAMESPACE of the worker."
  type        = string
  default     = "GenesysEventPipeline"
}

variable "schema_registry_name" {
  description = "Schema registry that routes may draw their schema from."
  type        = string
  default     = "genesys"
}

variable "archive_days" {
  description = "Days for which the bus can be replayed."
  type        = number
  default     = 30
}

variable "log_days" {
  description = "Days for which the example consumer's log group keeps events. They hold personal data."
  type        = number
  default     = 14
}

variable "pipeline_name" {
  description = "Consumer group of the workers (KAFKA_GROUP, or KAFKA_TOPIC_PREFIX and eventbridge); the dimension Pipeline."
  type        = string
  default     = "genesys.eventbridge"
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told of alarms; none: they only show in CloudWatch."
  type        = list(string)
  default     = []
}
