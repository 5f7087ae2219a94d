using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Hosting;

internal sealed partial class LastGoodOptionsMonitor
{
    [LoggerMessage(EventIds.ConfigurationRefused, LogLevel.Error, "The changed configuration is refused and the one before it stays: {Errors}", EventName = "ConfigurationRefused")]
    private partial void LogRefused(string errors, Exception? exception);
}
