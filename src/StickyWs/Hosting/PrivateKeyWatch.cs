using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>
/// Kestrel watches the files of certificates (<c>Path</c>), but not those of their keys (<c>KeyPath</c>). If the certificate is replaced first, it refuses
/// the pair, and would not look again when the key has followed. So a changed key has the configuration read again.
/// </summary>
internal sealed partial class PrivateKeyWatch(
    IOptions<KestrelServerOptions> kestrel, IConfiguration configuration, IHostEnvironment environment, TimeProvider time, ILogger<PrivateKeyWatch> logger)
    : BackgroundService
{
    // Not by events: the file may be a link, as in Kubernetes and with certbot.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (configuration is not IConfigurationRoot root) return;
        using var timer = new PeriodicTimer(Interval, time);
        Dictionary<string, DateTime>? known = null;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                if (kestrel.Value.ConfigurationLoader?.Configuration is not { } section) return; // Asked for when Kestrel has started.
                var current = Look(section);
                var hasChanged = known is not null && current.Any(key => known.TryGetValue(key.Key, out var before) && before != key.Value);
                known = current;
                if (hasChanged) Reload(root);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    // A broken file throws here, and so does whoever else follows the configuration and refuses it. Once it is well again, it is read anyway.
    private void Reload(IConfigurationRoot root)
    {
        try
        {
            root.Reload();
        }
#pragma warning disable CA1031 // Sources and followers are also the application's; their exceptions must not stop the host.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(logger, e.GetBaseException().Message, e);
        }
    }

    private Dictionary<string, DateTime> Look(IConfiguration section)
        => section.AsEnumerable().Where(pair => pair.Key.EndsWith(":KeyPath", StringComparison.OrdinalIgnoreCase) && !string.IsNullOrEmpty(pair.Value))
            .Select(pair => Path.Combine(environment.ContentRootPath, pair.Value!)).Distinct().ToDictionary(path => path, WrittenAt);

    private static DateTime WrittenAt(string path)
    {
        try
        {
            return (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)).LastWriteTimeUtc;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default; // Not there at the moment.
        }
    }

    [LoggerMessage(EventIds.KeyReloadFailed, LogLevel.Warning,
        "The private key of a certificate has changed, but the configuration could not be read again as a whole: {Cause}", EventName = "KeyReloadFailed")]
    private static partial void LogFailed(ILogger logger, string cause, Exception exception);
}
