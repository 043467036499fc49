terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.8, < 7.0" # before 6.8 a queue could not have messages of 1 MiB
    }
  }
}
