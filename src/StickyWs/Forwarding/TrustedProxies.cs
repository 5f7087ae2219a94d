using System.Net;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Forwarding;

/// <summary>Whose <c>X-Forwarded-*</c> headers are kept: the networks of the options in force, parsed once per change.</summary>
internal sealed class TrustedProxies(BackendRegistry registry)
{
    private volatile Entry? _entry;

    public bool Contains(IPAddress? address)
    {
        var options = registry.Current.Options;
        var entry = _entry;
        if (entry is null || !ReferenceEquals(entry.Options, options)) _entry = entry = new Entry(options, new Networks(options.TrustedProxies));
        return entry.Networks.Contains(address);
    }

    private sealed record Entry(StickyWsOptions Options, Networks Networks);
}
