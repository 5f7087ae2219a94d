using Microsoft.Extensions.Options;

namespace StickyWs.Configuration;

/// <summary>The complete validation: read errors, the generated range checks, and rules across fields. It collects all errors.</summary>
internal sealed class StickyWsOptionsValidator(string root, KnownPolicies policies, bool hasPinStore = false) : IValidateOptions<StickyWsOptions>
{
    public ValidateOptionsResult Validate(string? name, StickyWsOptions options)
    {
        List<string> errors = [.. options.ReadErrors];
        Add(errors, new RootRanges().Validate(root, options));
        Add(errors, new TransportRanges().Validate($"{root}:Transport", options.Transport));
        CheckChoice($"{root}:Transport:RawLane", options.Transport.RawLane, errors);
        CheckChoice($"{root}:Transport:Reactor", options.Transport.Reactor, errors);
        CheckTls($"{root}:Tls", options.Tls, errors);
        Add(errors, new PinRanges().Validate($"{root}:Pins", options.Pins));
        Add(errors, new ShutdownRanges().Validate($"{root}:Shutdown", options.Shutdown));
        DrainRules.CheckClose($"{root}:Shutdown", options.Shutdown.CloseCode, options.Shutdown.CloseReason, errors);
        if (options.HasRedisSection && !hasPinStore)
            errors.Add($"{root}:Redis is set, but nothing reads it: add the package StickyWs.Redis and call builder.AddStickyWebSocketRedis(), or remove it.");
        for (var i = 0; i < options.TrustedProxies.Count; i++)
        {
            if (!Networks.TryParse(options.TrustedProxies[i], out _))
                errors.Add(OptionsError.Of($"{root}:TrustedProxies:{i}", options.TrustedProxies[i], "use an IP address or a network such as 10.0.0.0/8"));
        }

        foreach (var (poolName, pool) in options.Pools) ValidatePool($"{root}:Pools:{poolName}", pool, errors);
        AddAmbiguousMatches(options, errors);
        AffinityRules.CheckTogether($"{root}:Pools", options.Pools, errors);
        errors.RemoveAll(error => OptionsError.MissingKey(error) is { } missing && options.ReadErrors.Exists(unread => IsAbout(unread, missing)));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckTls(string key, ClientTlsOptions tls, List<string> errors)
    {
        SharedSecrets.Check($"{key}:TicketKeys", tls.TicketKeys, errors);
        if (tls.TicketKeys.Count > ClientTlsOptions.MostTicketKeys)
            errors.Add(OptionsError.Of($"{key}:TicketKeys", $"{tls.TicketKeys.Count} keys", $"keep the {ClientTlsOptions.MostTicketKeys} newest at most"));
    }

    private void ValidatePool(string key, PoolOptions pool, List<string> errors)
    {
        Add(errors, new PoolRanges().Validate(key, pool));
        Add(errors, new TimeoutRanges().Validate($"{key}:Timeouts", pool.Timeouts));
        Add(errors, new QueueRanges().Validate($"{key}:Queue", pool.Queue));
        Add(errors, new ConnectionRanges().Validate($"{key}:Connections", pool.Connections));
        Add(errors, new TunnelRanges().Validate($"{key}:Tunnels", pool.Tunnels));
        CheckPing($"{key}:Tunnels", pool.Tunnels, errors);
        Add(errors, new DrainRanges().Validate($"{key}:Drain", pool.Drain));
        DrainRules.Check($"{key}:Drain", pool.Drain, errors);
        CheckChoice($"{key}:Drain:WhenRemoved", pool.Drain.WhenRemoved, errors);
        CheckChoice($"{key}:OnDown", pool.OnDown, errors);
        Add(errors, new RebalanceRanges().Validate($"{key}:Rebalance", pool.Rebalance));
        DrainRules.CheckClose($"{key}:Rebalance", pool.Rebalance.CloseCode, pool.Rebalance.CloseReason, errors);
        Add(errors, new OutlierRanges().Validate($"{key}:Outliers", pool.Outliers));
        CheckOutliers($"{key}:Outliers", pool.Outliers, errors);
        MatchRules.Check($"{key}:Match", pool.Match, errors);
        if (!policies.Names.Contains(pool.Policy))
        {
            var remedy = $"use one of {string.Join(", ", policies.Names)}, or register an ILoadBalancingPolicy of that name";
            errors.Add(OptionsError.Of($"{key}:Policy", pool.Policy, remedy));
        }

        AffinityRules.Check(key, pool, errors);
        CheckChoice($"{key}:WebSockets", pool.WebSockets, errors);
        UpgradeName.Check($"{key}:Upgrades", pool.Upgrades, errors);
        CheckChoice($"{key}:WhenNoneHealthy", pool.WhenNoneHealthy, errors);
        CheckChoice($"{key}:Http", pool.Http, errors);
        CheckChoice($"{key}:HttpVersion", pool.HttpVersion, errors);
        if (pool.Backends.Count == 0) errors.Add(OptionsError.Of($"{key}:Backends", null, "add at least one backend with an Address"));
        foreach (var (name, backend) in pool.Backends) ValidateBackend($"{key}:Backends:{name}", backend, pool.IsPassthrough, errors);
        if (pool.Tls.CaCertificateFile is { } file && !CertificateAuthorities.CanRead(file))
            errors.Add(OptionsError.Of($"{key}:Tls:CaCertificateFile", file, CertificateAuthorities.Remedy));
        HealthRules.Check($"{key}:Health", pool.Health, errors);
        PassthroughRules.Check(key, pool, errors);
    }

    // What opened must still be remembered when it dies young: the older half of the window is dropped at once. Ranges report what is beyond them.
    private static void CheckOutliers(string key, OutlierOptions outliers, List<string> errors)
    {
        if (outliers.Age > OutlierOptions.LongestAge || outliers.Window < OutlierOptions.ShortestWindow || outliers.Window >= outliers.Age * 2) return;
        errors.Add(OptionsError.Of($"{key}:Window", $"{outliers.Window:c}", $"use at least {outliers.Age * 2:c}, which is twice Age, or reduce Age"));
    }

    private static void CheckPing(string key, TunnelOptions tunnels, List<string> errors)
    {
        DrainRules.CheckClose(key, tunnels.CloseCode, tunnels.CloseReason, errors);
        Add(errors, new PingRanges().Validate($"{key}:Ping", tunnels.Ping));
        CheckChoice($"{key}:Ping:Peers", tunnels.Ping.Peers, errors);
        if (tunnels.Ping.Interval is { } interval && !tunnels.FollowFrames)
            errors.Add(OptionsError.Of($"{key}:Ping:Interval", $"{interval:c}", "remove it, or FollowFrames: a ping goes between two frames"));
    }

    internal static void CheckChoice<TEnum>(string key, TEnum value, List<string> errors)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value)) errors.Add(OptionsError.Of(key, value.ToString(), $"use one of {string.Join(", ", Enum.GetNames<TEnum>())}"));
    }

    private static void ValidateBackend(string key, BackendOptions backend, bool isPassthrough, List<string> errors)
    {
        Add(errors, new BackendRanges().Validate(key, backend));
        CheckChoice($"{key}:Mode", backend.Mode, errors);
        if (PassthroughRules.RemedyFor(backend.Address, isPassthrough) is { } remedy)
            errors.Add(OptionsError.Of($"{key}:Address", backend.Address.Length == 0 ? null : backend.Address, remedy));
    }

    // A value that was given but could not be read is not reported as missing as well.
    private static bool IsAbout(string error, string key)
        => error.StartsWith(key, StringComparison.OrdinalIgnoreCase) && error.AsSpan(key.Length) is [' ' or ':', ..];

    // Two pools with the same host and prefix would make the choice depend on the enumeration order of a dictionary.
    private void AddAmbiguousMatches(StickyWsOptions options, List<string> errors)
    {
        var owners = new Dictionary<(string Host, string Prefix), string>();
        foreach (var (name, pool) in options.Pools)
        {
            if (pool.IsPassthrough) continue;
            foreach (var host in pool.Match.Hosts.DefaultIfEmpty("*"))
            {
                foreach (var prefix in pool.Match.PathPrefixes.DefaultIfEmpty("/"))
                {
                    var rule = (host.ToUpperInvariant(), prefix.TrimEnd('/').ToUpperInvariant());
                    if (owners.TryAdd(rule, name) || owners[rule] == name) continue;
                    errors.Add($"{root}:Pools:{name}:Match is the same as that of pool '{owners[rule]}' (host '{host}', prefix '{prefix}'): "
                        + "give one of them another host or prefix.");
                }
            }
        }

        AddAmbiguousNames(options, errors);
    }

    private void AddAmbiguousNames(StickyWsOptions options, List<string> errors)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, pool) in options.Pools)
        {
            foreach (var server in pool.Match.ServerNames.Where(_ => pool.IsPassthrough))
            {
                if (owners.TryAdd(server, name)) continue;
                errors.Add(owners[server] == name
                    ? $"{root}:Pools:{name}:Match:ServerNames has '{server}' twice: remove one."
                    : $"{root}:Pools:{name}:Match:ServerNames has '{server}', as pool '{owners[server]}' has: remove it from one of them.");
            }
        }
    }

    internal static void Add(List<string> errors, ValidateOptionsResult result) => errors.AddRange(result.Failures ?? []);
}

/// <summary>The names of the registered balancing policies, for the validator.</summary>
internal sealed class KnownPolicies(IEnumerable<string> names)
{
    public IReadOnlySet<string> Names { get; } = new SortedSet<string>(names, StringComparer.OrdinalIgnoreCase);
}
