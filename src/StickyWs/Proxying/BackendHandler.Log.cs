using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Proxying;

internal sealed partial class BackendHandler
{
    [LoggerMessage(EventIds.RequestRetried, LogLevel.Debug,
        "Request of pool {Pool} failed on backend {Backend} ({Failure}) and is tried on {Next}",
        EventName = "RequestRetried")]
    private partial void LogRetried(string pool, string backend, string next, AttemptFailure failure, Exception exception);
}
