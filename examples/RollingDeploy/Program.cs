using StickyWs.Examples.RollingDeploy;
using StickyWs.Examples.RollingDeploy.Clients;

// Without a role it shows all of it: a balancer, backends in processes of their own, clients, and a deploy. The roles are for these processes.
switch (args)
{
    case ["backend"]:
        await Backend.RunAsync();
        return 0;
    case ["balancer", .. var rest]:
        await Balancer.Build(rest, new BackendList()).RunAsync();
        return 0;
    case ["clients", .. var rest]:
        await Crowd.RunAsync(rest);
        return 0;
    default:
        return await Demonstration.RunAsync(args) ? 0 : 1;
}
