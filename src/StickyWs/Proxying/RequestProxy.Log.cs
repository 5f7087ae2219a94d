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

    [LoggerMessage(EventIds.OutOfResources, LogLevel.Warning,
        "Backend {Pool}/{Backend} could not be dialled for want of descriptors, ports, memory or name servers here: {Cause}",
        EventName = "OutOfResources")]
    private partial void LogOutOfResources(string pool, string backend, string? cause);
}
