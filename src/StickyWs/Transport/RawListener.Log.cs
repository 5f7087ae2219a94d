using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Transport;

internal sealed partial class RawListener
{
    [LoggerMessage(EventIds.OutOfDescriptors, LogLevel.Warning, "No connection can be accepted on {EndPoint} for now: the process has no descriptor or memory left for one (see ulimit -n)", EventName = "OutOfDescriptors")]
    private static partial void LogOutOfDescriptors(ILogger logger, EndPoint endPoint);
}
