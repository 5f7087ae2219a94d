using Microsoft.Extensions.Logging;
using StickyWs.Observability;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Proxying;

internal sealed partial class RequestProxy
{
    [LoggerMessage(EventIds.RequestFailed, LogLevel.Debug,
        "Request of pool {Pool} on backend {Backend} failed: {Failure} ({Error})",
        EventName = "RequestFailed")]
    private partial void LogFailed(string pool, string backend, AttemptFailure failure, ForwarderError error, Exception? exception);
}
