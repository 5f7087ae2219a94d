using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Access;

/// <summary>Who did what, when, and what came of it: one line in the category <c>StickyWs.Audit</c>.</summary>
internal sealed partial class Audit(ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger _logger = loggers.CreateLogger("StickyWs.Audit");

    public void Done(HttpContext context, string action, string target, string outcome)
    {
        if (_logger.IsEnabled(LogLevel.Information))
            LogSteered(WhoIs(context), AddressOf(context), Line(action), Line(target), time.GetUtcNow(), Line(outcome));
    }

    /// <summary>Whether only what would be is asked for: then nothing is attempted, and nothing is recorded.</summary>
    public static bool IsDry(HttpContext context) => context.Request.Query["dryRun"] is [{ } dry] && bool.TryParse(dry, out var isDry) && isDry;

    public void Refused(HttpContext context, string action, string target, string cause)
    {
        if (_logger.IsEnabled(LogLevel.Warning))
            LogRefused(WhoIs(context), AddressOf(context), Line(action), Line(target), time.GetUtcNow(), Line(cause));
    }

    private static string WhoIs(HttpContext context)
    {
        var user = context.User;
        if (user.Identity is not { IsAuthenticated: true } identity) return "anonymous";
        return Line(identity.Name ?? user.FindFirstValue(ClaimTypes.NameIdentifier) ?? user.FindFirstValue("sub") ?? "somebody without a name");
    }

    private static string AddressOf(HttpContext context)
        => context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort).ToString() : "?";

    // Nobody's name makes a line of its own.
    private static string Line(string text)
        => string.Concat(Problem.Cut(text).Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? $"\\u{(int)c:x4}" : c.ToString()));

    [LoggerMessage(EventIds.Steered, LogLevel.Information, "{Who} from {Address}: {Action} {Target} at {At:O}: {Outcome}", EventName = "Steered")]
    private partial void LogSteered(string who, string address, string action, string target, DateTimeOffset at, string outcome);

    [LoggerMessage(EventIds.SteerRefused, LogLevel.Warning, "{Who} from {Address}: {Action} {Target} at {At:O}: refused, {Outcome}",
        EventName = "SteerRefused")]
    private partial void LogRefused(string who, string address, string action, string target, DateTimeOffset at, string outcome);
}
