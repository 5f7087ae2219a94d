using Microsoft.Extensions.Options;
using StickyWs.Configuration;

namespace StickyWs.Redis;

/// <summary>The complete check: errors from reading, each value, and the rules between values. Collects all errors.</summary>
internal sealed class RedisPinOptionsValidator(string root) : IValidateOptions<RedisPinOptions>
{
    private const int LongestPrefix = 128;

    public ValidateOptionsResult Validate(string? name, RedisPinOptions options)
    {
        // A section that was added twice is read twice.
        List<string> errors = [.. options.ReadErrors.Distinct()];
        CheckConfiguration(options, errors);
        if (options.KeyPrefix is not { Length: > 0 and <= LongestPrefix } prefix || !prefix.All(c => c is > ' ' and <= '~'))
        {
            var remedy = $"use 1 to {LongestPrefix} visible ASCII characters, such as stickyws:";
            errors.Add(OptionsError.Of($"{root}:KeyPrefix", string.IsNullOrEmpty(options.KeyPrefix) ? null : options.KeyPrefix, remedy));
        }

        if (options.User is { } user && (user.Length == 0 || user.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))))
            errors.Add(OptionsError.Of($"{root}:User", user.Length == 0 ? null : user, "use a name without spaces, or remove it"));
        if (options.Database < 0) errors.Add(OptionsError.Of($"{root}:Database", $"{options.Database}", "use 0 or more"));
        if (options.TlsServerName is { } server && Uri.CheckHostName(server) == UriHostNameType.Unknown)
            errors.Add(OptionsError.Of($"{root}:TlsServerName", server.Length == 0 ? null : server, "use a host name"));
        if (options.TlsCaCertificateFile is { } file && !CertificateAuthorities.CanRead(file))
            errors.Add(OptionsError.Of($"{root}:TlsCaCertificateFile", file, CertificateAuthorities.Remedy));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private void CheckConfiguration(RedisPinOptions options, List<string> errors)
    {
        var key = $"{root}:Configuration";
        if (string.IsNullOrWhiteSpace(options.Configuration)) errors.Add(OptionsError.Of(key, null, "use host:port of a Redis server"));
        else if (ConfigurationText.ErrorOf(key, options.Configuration) is { } error) errors.Add(error);
        else if (!ConfigurationText.HasServer(options.Configuration)) errors.Add($"{key} names no server: use host:port, followed by options.");
        else CheckTogether(options, errors);
    }

    // The configuration text may also set what these rules check.
    private void CheckTogether(RedisPinOptions options, List<string> errors)
    {
        var connection = ConnectionSettings.Of(options);
        if (!string.IsNullOrEmpty(connection.User) && string.IsNullOrEmpty(connection.Password))
            errors.Add(OptionsError.Of($"{root}:Password", null, "a User needs one"));
        if (connection.Ssl) return;
        var remedy = $"set {root}:Tls to true, or remove it.";
        if (options.TlsServerName is not null) errors.Add($"{root}:TlsServerName is set without Tls: {remedy}");
        if (options.TlsCaCertificateFile is not null) errors.Add($"{root}:TlsCaCertificateFile is set without Tls: {remedy}");
    }
}
