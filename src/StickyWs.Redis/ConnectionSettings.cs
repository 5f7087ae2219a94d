using System.Net.Security;
using System.Security.Cryptography;
using StackExchange.Redis;
using StickyWs.Configuration;

namespace StickyWs.Redis;

/// <summary>Our options as StackExchange.Redis options, with the settings that this use needs.</summary>
internal static class ConnectionSettings
{
    // The client checks once per second whether to retry; with a shorter delay, it retries at every check.
    private const int RetryMilliseconds = 500;

    // Defaults that the user's text may override. Failing fast begins only after the first attempt, and the client's own defaults are 3 attempts of 5
    // s.
    private const string Defaults = "name=StickyWs,connectTimeout=2000,connectRetry=1";

    public static ConfigurationOptions Of(RedisPinOptions options)
    {
        var settings = ConfigurationOptions.Parse($"{Defaults},{options.Configuration}");
        settings.AbortOnConnectFail = false;

        // If Redis cannot be asked now, the request goes on without it; a queued command would come too late.
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        settings.ReconnectRetryPolicy = new LinearRetry(RetryMilliseconds);
        settings.IncludeDetailInExceptions = false;
        if (options.User is not null) settings.User = options.User;
        if (options.Password is not null) settings.Password = options.Password;
        if (options.Database is not null) settings.DefaultDatabase = options.Database;
        if (options.Tls) settings.Ssl = true;
        if (options.TlsServerName is not null) settings.SslHost = options.TlsServerName;
        return settings;
    }

    /// <summary>The same, with the CA file, which is read here.</summary>
    /// <exception cref="CryptographicException">The CA file cannot be read as PEM certificates.</exception>
    /// <exception cref="IOException">The CA file cannot be read.</exception>
    public static ConfigurationOptions WithAuthorities(RedisPinOptions options)
    {
        var settings = Of(options);
        if (options.TlsCaCertificateFile is not { } file) return settings;
        var authorities = CertificateAuthorities.Read(file);
        settings.SslClientAuthenticationOptions = host => new SslClientAuthenticationOptions
        {
            TargetHost = host,
            CertificateChainPolicy = CertificateAuthorities.Trust(authorities),
        };
        return settings;
    }
}
