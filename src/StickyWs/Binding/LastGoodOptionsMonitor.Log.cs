using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Binding;

internal sealed partial class LastGoodOptionsMonitor
{
    [LoggerMessage(EventIds.ConfigurationRefused, LogLevel.Error,
        "The changed configuration is invalid and was rejected; the previous one stays in force: {Error}",
        EventName = "ConfigurationRefused")]
    private partial void LogRefused(string error, Exception? exception);

    [LoggerMessage(EventIds.ConfigurationInvalid, LogLevel.Error, "The configuration is not valid: {Error}", EventName = "ConfigurationInvalid")]
    private partial void LogInvalid(string error);
}
