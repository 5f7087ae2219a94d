using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.Tls;

namespace StickyWs.Connections;

/// <summary>The ticket keys of all listeners of the process, as the options in force say.</summary>
internal sealed class SharedTicketKeys : IDisposable
{
    private readonly IDisposable? _changes;

    public SharedTicketKeys(IOptionsMonitor<StickyWsOptions> options, TimeProvider time)
    {
        Keys = new TicketKeys(time);
        Use(options.CurrentValue);
        _changes = options.OnChange(Use);
    }

    public TicketKeys Keys { get; }

    public void Dispose()
    {
        _changes?.Dispose();
        Keys.Dispose();
    }

    private void Use(StickyWsOptions options) => Keys.Share([.. options.Tls.TicketKeys.Select(Convert.FromBase64String)]);
}
