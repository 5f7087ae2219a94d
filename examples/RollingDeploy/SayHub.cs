using Microsoft.AspNetCore.SignalR;

namespace StickyWs.Examples.RollingDeploy;

/// <summary>Takes numbered messages. The result of the call is the acknowledgement.</summary>
internal sealed class SayHub(Received received) : Hub
{
    public void Say(string client, int number) => received.Add(client, number);
}
