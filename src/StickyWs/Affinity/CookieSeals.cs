using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Affinity;

/// <summary>
/// The seal of a pool's cookie: the configured keys, or the application's Data Protection. Without either, keys that live as long as the process,
/// because nothing should be written to disk unasked.
/// </summary>
internal sealed partial class CookieSeals(IDataProtectionProvider? dataProtection, ILogger<CookieSeals> logger)
{
    private readonly Lazy<IDataProtectionProvider> _ephemeral = new(() => new EphemeralDataProtectionProvider());
    private int _isTold;
    private int _hasComplained;

    public CookieSeal For(string pool, CookieAffinityOptions options)
    {
        var purpose = CookieRule.Purpose(pool, options.Name);
        if (options.Keys.Count > 0) return new KeyedSeal(options.Keys, Encoding.UTF8.GetBytes(purpose));
        if (dataProtection is not null) return new DataProtectionSeal(dataProtection.CreateProtector(purpose), Complain);
        if (Interlocked.Exchange(ref _isTold, 1) == 0) LogEphemeral(pool);
        return new DataProtectionSeal(_ephemeral.Value.CreateProtector(purpose), Complain);
    }

    private void Complain(Exception exception)
    {
        if (Interlocked.Exchange(ref _hasComplained, 1) == 0) LogNotSealed(exception);
    }

    [LoggerMessage(
        EventIds.CookieKeysEphemeral, LogLevel.Warning,
        "Pool {Pool} issues cookies without Keys and without Data Protection: they are valid until this process ends, and only in this instance. "
        + "Set Affinity:Rules:…:Cookie:Keys, or call AddDataProtection",
        EventName = "CookieKeysEphemeral")]
    private partial void LogEphemeral(string pool);

    [LoggerMessage(
        EventIds.CookieNotSealed, LogLevel.Error,
        "Data Protection cannot seal cookies: responses carry none, and clients are balanced anew, until it can. This is logged once",
        EventName = "CookieNotSealed")]
    private partial void LogNotSealed(Exception exception);
}
