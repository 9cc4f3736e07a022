"""What a user is told, and what may help."""

from __future__ import annotations

from holdfast.errors._categories import ErrorCategory

LEAD = {
    ErrorCategory.DATA_VALIDATION: "The data cannot be used",
    ErrorCategory.CLUSTERING: "The clustering failed",
    ErrorCategory.NEUROMORPHIC_CLUSTERING: "The neuromorphic clustering failed",
    ErrorCategory.TEAM_SIMULATION: "The team simulation failed",
    ErrorCategory.FILE_IO: "A file could not be read or written",
    ErrorCategory.SECURITY: "The request was refused for security",
    ErrorCategory.API: "Another service could not be reached",
    ErrorCategory.DATABASE: "The database could not be used",
    ErrorCategory.CONFIGURATION: "The configuration or the program is at fault",
    ErrorCategory.CIRCUIT_BREAKER: "The operation is suspended after repeated failures",
    ErrorCategory.TIMEOUT: "The operation took too long",
    ErrorCategory.RESOURCE_EXHAUSTION: "A resource is used up",
    ErrorCategory.FALLBACK: "The operation failed, and so did its replacement",
}

SUGGESTIONS: dict[ErrorCategory, tuple[str, ...]] = {
    ErrorCategory.DATA_VALIDATION: (
        "Compare the format and the columns of the data with what is expected",
        "Fill in every required field",
        "Make sure that numeric columns hold numbers only",
        "Remove or fill in missing values",
    ),
    ErrorCategory.CLUSTERING: (
        "Provide at least as many samples as clusters",
        "Make sure that the features are numeric",
        "Ask for fewer clusters",
        "Scale the features and look for outliers first",
    ),
    ErrorCategory.NEUROMORPHIC_CLUSTERING: (
        "Check the quality of the data for the neuromorphic features: range, outliers, gaps",
        "Use fewer columns or shorter series",
        "Set enable_fallback=True, so that K-means steps in",
        "Use smaller components: esn_params, snn_params, lsm_params",
        "Make sure that enough memory is free",
    ),
    ErrorCategory.TEAM_SIMULATION: (
        "Provide enough employees for the teams asked for",
        "Choose a team size that fits their number",
        "Run the clustering before the simulation",
        "Complete the records of the employees",
    ),
    ErrorCategory.FILE_IO: (
        "Check the path and the permissions of the file",
        "Check that the file has the expected format",
        "Check that the file is complete and not corrupted",
        "Make room on the disk",
    ),
    ErrorCategory.SECURITY: (
        "Review the security configuration",
        "Check the permissions of whoever asked",
        "Check the input for what the rules forbid",
        "Ask an administrator",
    ),
    ErrorCategory.API: (
        "Check that the service is up and reachable",
        "Try again later",
    ),
    ErrorCategory.DATABASE: (
        "Check that the database is up and its address and credentials are right",
        "Try again later",
    ),
    ErrorCategory.CONFIGURATION: (
        "Read the technical details and check the parameters they name",
    ),
    ErrorCategory.CIRCUIT_BREAKER: (
        "Wait until the circuit breaker lets a call through again",
        "Check the health of what it protects",
        "Find the root cause of the failures before it",
        "Review its thresholds",
    ),
    ErrorCategory.TIMEOUT: (
        "Raise the time limit",
        "Make the operation do less: fewer samples, smaller components",
        "Check that the machine is not overloaded",
        "Split the work into parts",
    ),
    ErrorCategory.RESOURCE_EXHAUSTION: (
        "Free the resource: stop what else uses it",
        "Scale up",
        "Reduce memory use: fewer samples at a time, float32",
        "Clean up temporary files",
        "Share connections and buffers instead of making new ones",
    ),
    ErrorCategory.FALLBACK: (
        "Resolve the primary cause first",
        "Review the configuration of the fallback",
        "Check that the fallback has the resources it needs",
        "Choose another alternative method",
        "Ask an administrator",
    ),
}

AFTER_RETRIES = (
    "Disable the neuromorphic features for now, as retries did not help",
    "Use K-means (holdfast.clustering.KMeans) until the cause is found",
)
AFTER_BREAKER = (
    "Watch the health of the service behind the circuit breaker",
    "Check whether it is short of resources",
)
AFTER_EXHAUSTION = ("Scale up the machine or the limits", "Run a clean-up of caches and files")
AFTER_SEVERAL = (
    "Review the whole flow: this call had more than one error",
    "Throttle the calls until the errors stop",
)
