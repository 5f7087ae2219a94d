using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;
using StickyWs.Reactors;

namespace StickyWs.Transport;

internal sealed partial class RawListener
{
    [LoggerMessage(EventIds.CannotAccept, LogLevel.Warning, "No connection can be accepted on {EndPoint} for now: {Error}. TooManyFiles means that the process has no descriptor left (ulimit -n)", EventName = "CannotAccept")]
    private static partial void LogCannotAccept(ILogger logger, EndPoint endPoint, Errno error);
}
