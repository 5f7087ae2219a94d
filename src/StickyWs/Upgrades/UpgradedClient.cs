using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using StickyWs.Configuration;
using StickyWs.Http1;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Upgrades;

/// <summary>An HTTP/1.1 upgrade (RFC 9110 section 7.8) in the pipeline.</summary>
internal sealed class UpgradedClient(HttpContext context, IHttpUpgradeFeature upgrade) : PipelineClient(context)
{
    public override bool HasOwnKey => true;

    public override SocketView Socket => SocketView.Of(Context.Features);

    // The gate is held by then, which keeps RequestAborted from firing.
    protected override CancellationToken ClientLeft => Context.Features.Get<HalfCloseGate>()?.Left ?? base.ClientLeft;

    protected override ConnectionShare? Share => Context.Features.Get<ConnectionShare>();

    protected override async ValueTask<IDuplexPipe> UpgradeAsync(ResponseHead answer)
    {
        var protocol = answer.Single("Upgrade"u8)!; // Verified before.
        Context.Response.Headers.Upgrade = UpgradeName.IsWebSocket(protocol) ? UpgradeName.WebSocket : protocol;

        // Kestrel would treat a tunnel with a stalled reader as a response that is read too slowly, and abort it.
        if (Context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        return ToPipe(await upgrade.UpgradeAsync().ConfigureAwait(false));
    }
}
