"""Makes the bucket of the settings, once, in a store that is not AWS: for development.

Exit code 0 when the bucket is there afterwards.
"""

import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def main() -> int:
    """Make the bucket where it is absent; print what happened."""
    endpoint, bucket = os.environ["RESTORE_S3_ENDPOINT"], os.environ["RESTORE_S3_BUCKET"]
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name=os.environ.get("RESTORE_S3_REGION", "us-east-1")
    )
    try:
        client.create_bucket(Bucket=bucket)
    except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        print(f"bucket {bucket} at {endpoint} is there already")
    except (BotoCoreError, ClientError) as error:
        print(f"bucket {bucket} at {endpoint} cannot be made: {error}", file=sys.stderr)
        return 1
    else:
        print(f"made bucket {bucket} at {endpoint}")
    finally:
        client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
